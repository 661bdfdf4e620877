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
 * The theme as a stylesheet made by the build. Mantine would write it into a `<style>` element at run time, which the
 * policy of the page forbids, and then goes on silently without it.
 */
export function themeCss(input: {
  theme: MantineThemeOverride;
  cssVariablesResolver: CSSVariablesResolver;
}): Plugin {
  return {
    name: 'theme-css',
    resolveId: (source) => (source === ID ? RESOLVED : undefined),
    load: (source) => (source === RESOLVED ? styleSheetOf(input) : undefined),
  };
}

function styleSheetOf({ theme, cssVariablesResolver }: Parameters<typeof themeCss>[0]): string {
  const full = mergeMantineTheme(DEFAULT_THEME, theme);
  const usual = defaultCssVariablesResolver(full);
  const own = cssVariablesResolver(full);
  const there = defaultCssVariablesResolver(DEFAULT_THEME);
  const changed = (part: 'variables' | 'light' | 'dark') =>
    without({ ...usual[part], ...own[part] }, there[part]);
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

function without(all: Record<string, string>, there: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => there[name] !== value));
}
