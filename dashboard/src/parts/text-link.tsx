import type { AnchorProps } from '@mantine/core';
import { Anchor } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef } from 'react';

/** A link to another page of Secu. */
export const TextLink = createLink(function TextLink(
  props: AnchorProps & Omit<ComponentPropsWithRef<'a'>, keyof AnchorProps>,
) {
  return <Anchor size="sm" {...props} />;
});
