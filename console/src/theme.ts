import { createTheme, type CSSVariablesResolver } from '@mantine/core';

/** Shades are chosen so that text on them has the contrast of WCAG AA, in light and in dark. */
export const THEME = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, "Noto Sans CJK SC", "Noto Sans CJK KR", sans-serif',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Its placeholder is a child that a menu must not have (WAI-ARIA, aria-required-children).
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
  },
});

/** The greys of the library for what is said beside something are too pale for WCAG AA. */
export const resolveVariables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': colors.gray[7],
    '--mantine-color-placeholder': colors.gray[7],
    '--mantine-color-error': colors.red[8],
  },
  dark: {
    '--mantine-color-dimmed': colors.dark[1],
    '--mantine-color-placeholder': colors.dark[1],
    '--mantine-color-error': colors.red[4],
  },
});
