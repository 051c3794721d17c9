import { Alert } from '@mantine/core';
import { useNetwork } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';

/** Says that the network is gone; what was typed stays, and lists are read again once it is back. */
export function Connection() {
  const { t } = useTranslation();
  const { online } = useNetwork();
  if (online) return null;
  return (
    <Alert color="yellow" mb="md" role="status" title={t('offline.title')}>
      {t('offline.text')}
    </Alert>
  );
}
