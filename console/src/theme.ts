import { createTheme } from '@mantine/core';

/** Shades are chosen so that text on them has the contrast of WCAG AA, in light and in dark. */
export const THEME = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, "Noto Sans CJK SC", "Noto Sans CJK KR", sans-serif',
  cursorType: 'pointer',
  respectReducedMotion: true,
});
