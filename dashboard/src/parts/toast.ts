import type { NotificationData } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { describeError } from './problem-panel.tsx';

const CLOSE_MS = 8_000;

let firstToastListener: () => void = () => {};

/** Called for the first toast, which loads the toast container (`parts/toasts.tsx`). */
export function onFirstToast(listener: () => void): void {
  firstToastListener = listener;
}

function enqueueToast(toast: NotificationData): void {
  firstToastListener();
  void import('@mantine/notifications').then(({ notifications }) => notifications.show(toast));
}

/** Reports a result that the page does not show; closes automatically. */
export function showToast(message: ReactNode): void {
  enqueueToast({ message, autoClose: CLOSE_MS });
}

/** Reports an error that the page does not show; stays until dismissed. */
export function showErrorToast(error: unknown): void {
  const { title, detail, requestId } = describeError(error);
  enqueueToast({
    color: 'bad',
    title,
    message: requestId === null ? detail : `${detail} Request ID ${requestId}`,
    autoClose: false,
  });
}
