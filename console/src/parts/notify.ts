import { notifications } from '@mantine/notifications';

/** Says that something was done; screen readers read it out. */
export function notifyDone(message: string): void {
  notifications.show({ message, color: 'green', withBorder: true });
}

/** Says that something was not done, and why; it stays until it is closed. */
export function notifyFailed(title: string, message: string): void {
  notifications.show({ title, message, color: 'red', withBorder: true, autoClose: false });
}
