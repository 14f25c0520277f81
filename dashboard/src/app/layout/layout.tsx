import { Page, SkipToContent } from "@patternfly/react-core";
import { Suspense, useCallback, useEffect, useRef, useState } from "react";
import { Outlet, ScrollRestoration, useLocation } from "react-router";

import { ApiProblem } from "@app/client/problem";
import { ErrorBoundary } from "@app/components/error-boundary";
import { SkeletonRows } from "@app/components/loaded";
import { useShortcuts } from "@app/hooks/shortcuts";
import { ZoneProvider } from "@app/hooks/zone";
import { useMe } from "@app/queries/me";

import { Forbidden } from "./forbidden";
import { AppMasthead } from "./masthead";
import { Notices } from "./notices";
import { ShortcutsModal } from "./shortcuts-modal";
import { AppSidebar } from "./sidebar";

const MAIN = "main";

/** The frame of every page. */
export function Layout() {
  const me = useMe();
  const search = useRef<HTMLInputElement>(null);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const focusSearch = useCallback(() => search.current?.focus(), []);
  const showHelp = useCallback(() => {
    setHelpOpen(true);
  }, []);
  useShortcuts({ focusSearch, showHelp });
  const { pathname } = useLocation();
  useFocusOnNewPage(pathname);

  const isForbidden = me.error instanceof ApiProblem && me.error.status === 403;
  const eventZone = me.data?.data.event.time_zone ?? null;
  return (
    <ZoneProvider eventZone={eventZone}>
      <Page
        mainContainerId={MAIN}
        isManagedSidebar
        isContentFilled
        skipToContent={<SkipToContent href={`#${MAIN}`}>Skip to content</SkipToContent>}
        masthead={<AppMasthead me={me.data?.data} searchRef={search} onHelp={showHelp} />}
        sidebar={<AppSidebar />}
      >
        <Notices />
        {isForbidden ? (
          <Forbidden problem={me.error as ApiProblem} />
        ) : (
          <ErrorBoundary key={pathname} what="This page">
            <Suspense fallback={<Loading />}>
              <Outlet />
            </Suspense>
          </ErrorBoundary>
        )}
      </Page>
      <ShortcutsModal
        isOpen={isHelpOpen}
        onClose={() => {
          setHelpOpen(false);
        }}
      />
      <ScrollRestoration />
    </ZoneProvider>
  );
}

function Loading() {
  return (
    <div className="sg-page-loading" aria-busy="true">
      <SkeletonRows rows={10} />
    </div>
  );
}

/** A new page begins at its top, for the keyboard and for who listens to it as well. */
function useFocusOnNewPage(pathname: string): void {
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    document.getElementById(MAIN)?.focus({ preventScroll: true });
  }, [pathname]);
}
