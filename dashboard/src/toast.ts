import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { problemWords } from './parts/problem-panel.tsx';

const CLOSE_MS = 8_000;

/** For a result that is out of view; it fades. */
export function say(message: ReactNode): void {
  notifications.show({ message, autoClose: CLOSE_MS });
}

/** For what failed out of view; it stays until it is dismissed. */
export function sayFailed(error: unknown): void {
  const { title, detail, requestId } = problemWords(error);
  notifications.show({
    color: 'bad',
    title,
    message: requestId === null ? detail : `${detail} Request id ${requestId}`,
    autoClose: false,
  });
}
