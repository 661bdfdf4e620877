import type { ButtonProps } from '@mantine/core';
import { Button } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import type { ComponentPropsWithRef } from 'react';
import { useMe } from '../api/session.ts';

export function UserButton(props: ButtonProps & ComponentPropsWithRef<'button'>) {
  const { name } = useMe();
  return (
    <Button
      variant="default"
      leftSection={<IconUser size={14} />}
      aria-label={`Signed in as ${name}`}
      {...props}
    >
      {name}
    </Button>
  );
}
