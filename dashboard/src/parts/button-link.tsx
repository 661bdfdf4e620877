import type { ButtonProps } from '@mantine/core';
import { Button } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef } from 'react';

/** A link to another page of Secu that looks like a button. */
export const ButtonLink = createLink(function ButtonLink(
  props: ButtonProps & Omit<ComponentPropsWithRef<'a'>, keyof ButtonProps>,
) {
  return <Button component="a" {...props} />;
});
