import type { CSSVariablesResolver, MantineThemeOverride } from '@mantine/core';
import {
  convertCssVariables,
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from '@mantine/core';
import type { Plugin } from 'vite';

const ID = 'virtual:theme.css';
const RESOLVED = `\0${ID}`;

/**
 * Writes the theme into a stylesheet at build time. Mantine would write it into a `<style>` element at run time, which
 * the content security policy blocks without an error.
 */
export function themeCss(input: {
  theme: MantineThemeOverride;
  cssVariablesResolver: CSSVariablesResolver;
}): Plugin {
  return {
    name: 'theme-css',
    resolveId: (source) => (source === ID ? RESOLVED : undefined),
    load: (source) => (source === RESOLVED ? buildStyleSheet(input) : undefined),
  };
}

function buildStyleSheet({ theme, cssVariablesResolver }: Parameters<typeof themeCss>[0]): string {
  const full = mergeMantineTheme(DEFAULT_THEME, theme);
  const fromTheme = defaultCssVariablesResolver(full);
  const custom = cssVariablesResolver(full);
  const defaults = defaultCssVariablesResolver(DEFAULT_THEME);
  const changed = (part: 'variables' | 'light' | 'dark') =>
    withoutDefaults({ ...fromTheme[part], ...custom[part] }, defaults[part]);
  const variables = { variables: changed('variables'), light: changed('light'), dark: changed('dark') };
  const media = Object.entries(full.breakpoints).map(([name, width]) => {
    const em = Number.parseFloat(width);
    return [
      `@media (max-width:${em - 0.00625}em){.mantine-visible-from-${name}{display:none!important}}`,
      `@media (min-width:${em}em){.mantine-hidden-from-${name}{display:none!important}}`,
    ].join('');
  });
  return convertCssVariables(variables, ':root') + media.join('');
}

function withoutDefaults(
  all: Record<string, string>,
  defaults: Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => defaults[name] !== value));
}
