import type { NotificationData } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { problemWords } from './problem-panel.tsx';

const CLOSE_MS = 8_000;

let wake: () => void = () => {};

/** Told of the first toast: only then the box that shows them is fetched (`parts/toasts.tsx`). */
export function onFirstToast(listener: () => void): void {
  wake = listener;
}

function show(toast: NotificationData): void {
  wake();
  void import('@mantine/notifications').then(({ notifications }) => notifications.show(toast));
}

/** For a result that is out of view; it fades. */
export function say(message: ReactNode): void {
  show({ message, autoClose: CLOSE_MS });
}

/** For what failed out of view; it stays until it is dismissed. */
export function sayFailed(error: unknown): void {
  const { title, detail, requestId } = problemWords(error);
  show({
    color: 'bad',
    title,
    message: requestId === null ? detail : `${detail} Request id ${requestId}`,
    autoClose: false,
  });
}
