import type { NotificationData } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { describeError } from './problem-panel.tsx';

const CLOSE_MS = 8_000;

let firstToastListener: () => void = () => {};

/** Told of the first toast: only then the box that shows them is fetched (`parts/toasts.tsx`). */
export function onFirstToast(listener: () => void): void {
  firstToastListener = listener;
}

function enqueueToast(toast: NotificationData): void {
  firstToastListener();
  void import('@mantine/notifications').then(({ notifications }) => notifications.show(toast));
}

/** For a result that is out of view; it fades. */
export function showToast(message: ReactNode): void {
  enqueueToast({ message, autoClose: CLOSE_MS });
}

/** For what failed out of view; it stays until it is dismissed. */
export function showErrorToast(error: unknown): void {
  const { title, detail, requestId } = describeError(error);
  enqueueToast({
    color: 'bad',
    title,
    message: requestId === null ? detail : `${detail} Request id ${requestId}`,
    autoClose: false,
  });
}
