import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { deviceOf } from './device';

/** The program of a request in words; the exact text is its title. */
export function useDeviceText(): (userAgent: string | null | undefined) => string {
  const { t } = useTranslation('events');
  return (userAgent) => {
    if (!userAgent) return t('unknownDevice');
    const device = deviceOf(userAgent);
    if (!device) return userAgent;
    return device.system === undefined ? device.browser : t('device', { ...device });
  };
}

export function UserAgent({ value }: { value: string | null }) {
  const text = useDeviceText();
  return (
    <Text span inherit title={value ?? undefined} className="anywhere">
      {text(value)}
    </Text>
  );
}
