import { notifications } from '@mantine/notifications';
import i18next from 'i18next';

/** Says that something was done; screen readers read it out. */
export function notifyDone(message: string): void {
  notifications.show({ message, color: 'green', withBorder: true, closeButtonProps: closeButton() });
}

/** Says that something was not done, and why; it stays until it is closed. */
export function notifyFailed(title: string, message: string): void {
  const closeButtonProps = closeButton();
  notifications.show({ title, message, color: 'red', withBorder: true, autoClose: false, closeButtonProps });
}

function closeButton(): { 'aria-label': string } {
  return { 'aria-label': i18next.t('shell:confirm.close') };
}
