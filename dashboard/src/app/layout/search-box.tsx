import { Menu, MenuContent, MenuItem, MenuList, Popper, SearchInput } from "@patternfly/react-core";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import { useNavigate } from "react-router";

import { pathOfHit, to } from "@app/Routes";
import { shownAs } from "@app/labels";
import { SHORTEST, useSearch } from "@app/queries/search";

const SETTLE_MS = 200;
const MOST = 8;

/** Finds any guid, namespace, lab code, class or cluster, from every page. */
export function SearchBox({ inputRef }: { inputRef: RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  const menuId = useId();
  const box = useRef<HTMLDivElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const settled = useSettled(text.trim());
  const hits = useSearch(settled).data?.data ?? [];
  const shown = isOpen && settled.length >= SHORTEST;

  const go = (path: string) => {
    setOpen(false);
    setText("");
    inputRef.current?.blur();
    void navigate(path);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") setOpen(false);
    if (event.key === "Enter" && text.trim().length >= SHORTEST) go(to.search(text.trim()));
    if (event.key === "ArrowDown" && shown) {
      event.preventDefault();
      menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    }
  };

  return (
    <Popper
      isVisible={shown}
      triggerRef={box}
      popperRef={menu}
      appendTo={() => box.current ?? document.body}
      enableFlip={false}
      trigger={
        // Leaving the box, wherever to, closes its menu.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
        <div
          ref={box}
          role="search"
          onBlur={(event) => {
            if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
          }}
        >
          <SearchInput
            ref={inputRef}
            aria-label="Search everything"
            placeholder="Search guid, namespace, lab, class ( / )"
            value={text}
            onChange={(_event, value) => {
              setText(value);
              setOpen(true);
            }}
            onClear={() => {
              setText("");
            }}
            onKeyDown={onKey}
            inputProps={{
              "aria-expanded": shown,
              "aria-controls": menuId,
              role: "combobox",
              autoComplete: "off",
            }}
          />
        </div>
      }
      popper={
        <Menu
          ref={menu}
          id={menuId}
          isScrollable
          onSelect={(_event, path) => {
            go(String(path));
          }}
          onKeyDown={(event: KeyboardEvent) => {
            if (event.key !== "Escape") return;
            setOpen(false);
            inputRef.current?.focus();
          }}
        >
          <MenuContent>
            <MenuList aria-label="Found">
              {hits.slice(0, MOST).map((hit) => (
                <MenuItem
                  key={`${hit.kind} ${hit.key}`}
                  itemId={pathOfHit(hit)}
                  description={shownAs("hit", hit.kind).text}
                >
                  {hit.title}
                </MenuItem>
              ))}
              <MenuItem itemId={to.search(settled)}>
                {hits.length === 0 ? `Nothing is called ${settled}` : `All that is found for ${settled}`}
              </MenuItem>
            </MenuList>
          </MenuContent>
        </Menu>
      }
    />
  );
}

/** A value once it stays the same for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value);
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [value]);
  return settled;
}
