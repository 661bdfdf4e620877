import type { CSSVariablesResolver, MantineColorsTuple } from '@mantine/core';
import { createTheme } from '@mantine/core';
import { base, hues } from './tokens.ts';

const hueNames = Object.keys(hues) as (keyof typeof hues)[];
const toMantineColors = (name: keyof typeof hues): MantineColorsTuple => {
  const hue = hues[name];
  return [
    hue.tint[0],
    hue.tint[0],
    hue.tintHover[0],
    hue.dot[1],
    hue.dot[1],
    hue.dot[0],
    hue.solid[0],
    hue.solidHover[0],
    hue.fg[0],
    hue.fg[0],
  ];
};
export const theme = createTheme({
  colors: {
    ...Object.fromEntries(hueNames.map((name) => [name, toMantineColors(name)])), // gray and dark as well: menus, toasts and dropdowns read gray-N and dark-N directly
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
    }, // lockScroll would write a <style> element, which the content security policy forbids
    Drawer: {
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        lockScroll: false,
        transitionProps: { duration: 0 },
      },
    },
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } }, // the placeholder fails axe rule "aria-required-children"
    Notification: { defaultProps: { withBorder: true, closeButtonProps: { 'aria-label': 'Dismiss' } } }, // axe requires a name for the button
    Input: { vars: () => ({ wrapper: { '--input-bd': 'var(--mantine-color-default-border)' } }) },
    // Mantine subtracts 2 px here; size md gives 12 px, our minimum
    InputWrapper: { defaultProps: { descriptionProps: { size: 'md' }, errorProps: { size: 'md' } } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
  },
});
/** CSS variables of the light (0) or dark (1) scheme. */
const schemeVariables = (scheme: 0 | 1) => {
  const variables: Record<string, string> = {};
  for (const [name, pair] of Object.entries(base)) variables[name] = pair[scheme];
  for (const name of hueNames) {
    const hue = hues[name];
    const prefix = `--mantine-color-${name}`;
    Object.assign(variables, {
      [`${prefix}-text`]: hue.fg[scheme],
      [`${prefix}-light`]: hue.tint[scheme],
      [`${prefix}-light-hover`]: hue.tintHover[scheme],
      [`${prefix}-light-color`]: hue.fg[scheme],
      [`${prefix}-filled`]: hue.solid[scheme],
      [`${prefix}-filled-hover`]: hue.solidHover[scheme],
      [`${prefix}-outline`]: hue.fg[scheme],
      [`${prefix}-outline-hover`]: hue.tint[scheme],
      [`--secu-dot-${name}`]: hue.dot[scheme],
    });
  }
  return variables;
};
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: { '--secu-row': '2.25rem', '--secu-row-compact': '1.75rem' },
  light: schemeVariables(0),
  dark: schemeVariables(1),
});
