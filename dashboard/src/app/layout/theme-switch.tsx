import { Button, Tooltip } from "@patternfly/react-core";
import MoonIcon from "@patternfly/react-icons/dist/esm/icons/moon-icon";
import SunIcon from "@patternfly/react-icons/dist/esm/icons/sun-icon";

import { chooseTheme, useTheme } from "@app/hooks/theme";

export function ThemeSwitch() {
  const { isDark } = useTheme();
  const other = isDark ? "light" : "dark";
  const label = `Switch to the ${other} theme`;
  return (
    <Tooltip content={label}>
      <Button
        variant="plain"
        aria-label={label}
        icon={isDark ? <SunIcon /> : <MoonIcon />}
        onClick={() => {
          chooseTheme(other);
        }}
      />
    </Tooltip>
  );
}
