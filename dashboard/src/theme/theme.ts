// theme.ts   (own code; type-checks with TypeScript 7 strict)
import type { CSSVariablesResolver, MantineColorsTuple } from '@mantine/core';
import { createTheme } from '@mantine/core';
import { base, hues } from './tokens.ts';

const names = Object.keys(hues) as (keyof typeof hues)[];
const tuple = (n: keyof typeof hues): MantineColorsTuple => {
  const h = hues[n];
  return [
    h.tint[0],
    h.tint[0],
    h.tintHover[0],
    h.dot[1],
    h.dot[1],
    h.dot[0],
    h.solid[0],
    h.solidHover[0],
    h.fg[0],
    h.fg[0],
  ];
};
export const theme = createTheme({
  colors: {
    ...Object.fromEntries(names.map((n) => [n, tuple(n)])), // gray and dark too: components read gray-N and dark-N directly (menus, toasts, dropdowns)
    gray: [
      '#f6f7f9',
      '#eff2f6',
      '#e3e7ed',
      '#d5dbe3',
      '#b4bdc8',
      '#5f6975',
      '#535c68',
      '#474f5a',
      '#2c323a',
      '#15181d',
    ],
    dark: [
      '#e4e8ed',
      '#bcc4ce',
      '#a3adb9',
      '#949fac',
      '#343b45',
      '#22272e',
      '#1b1f25',
      '#14171b',
      '#0e1013',
      '#08090b',
    ],
  },
  primaryColor: 'info',
  primaryShade: 6,
  white: '#ffffff',
  black: '#15181d',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  lineHeights: { xs: '1.35', sm: '1.4', md: '1.45', lg: '1.45', xl: '1.3' },
  spacing: { xs: '0.25rem', sm: '0.5rem', md: '0.75rem', lg: '1rem', xl: '1.5rem' },
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.25rem', lineHeight: '1.3' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.45' },
    },
  },
  components: {
    Alert: { defaultProps: { variant: 'light', p: 'sm' } },
    Anchor: { defaultProps: { underline: 'always' } },
    Button: { defaultProps: { size: 'xs' } },
    Progress: { defaultProps: { size: 'sm', radius: 'sm' } },
    Badge: {
      defaultProps: { variant: 'light', size: 'md', radius: 'sm', tt: 'none', fw: 500, color: 'neutral' },
    },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'neutral', size: 'md' } },
    Table: {
      defaultProps: {
        verticalSpacing: 0,
        horizontalSpacing: 'sm',
        highlightOnHover: true,
        highlightOnHoverColor: 'var(--secu-hover)',
        borderColor: 'var(--secu-border)',
        fz: 'sm',
      },
    },
    Tooltip: {
      defaultProps: { openDelay: 400, withArrow: true, events: { hover: true, focus: true, touch: true } },
    },
    Modal: {
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        centered: true,
        lockScroll: false,
        transitionProps: { duration: 0 },
      },
    }, // lockScroll: section 5, CSP
    Drawer: {
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        lockScroll: false,
        transitionProps: { duration: 0 },
      },
    },
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } }, // the placeholder is axe "aria-required-children", critical
    Notification: { defaultProps: { withBorder: true, closeButtonProps: { 'aria-label': 'Dismiss' } } }, // unnamed button: axe critical
    Input: { vars: () => ({ wrapper: { '--input-bd': 'var(--mantine-color-default-border)' } }) },
    // Mantine makes these 2 px smaller than their size says: 12 px, which nothing is smaller than
    InputWrapper: { defaultProps: { descriptionProps: { size: 'md' }, errorProps: { size: 'md' } } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
  },
});
const pick = (i: 0 | 1) => {
  const out: Record<string, string> = {};
  for (const [k, pair] of Object.entries(base)) out[k] = pair[i];
  for (const n of names) {
    const h = hues[n],
      v = `--mantine-color-${n}`;
    Object.assign(out, {
      [`${v}-text`]: h.fg[i],
      [`${v}-light`]: h.tint[i],
      [`${v}-light-hover`]: h.tintHover[i],
      [`${v}-light-color`]: h.fg[i],
      [`${v}-filled`]: h.solid[i],
      [`${v}-filled-hover`]: h.solidHover[i],
      [`${v}-outline`]: h.fg[i],
      [`${v}-outline-hover`]: h.tint[i],
      [`--secu-dot-${n}`]: h.dot[i],
    });
  }
  return out;
};
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: { '--secu-row': '2.25rem', '--secu-row-compact': '1.75rem' },
  light: pick(0),
  dark: pick(1),
});
