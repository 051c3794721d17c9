import { Textarea } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** Why tokens end: kept with each of them, and in the trail. */
export function ReasonInput({ reason, onReason }: { reason: string; onReason: (reason: string) => void }) {
  const { t } = useTranslation('inventory');
  return (
    <Textarea
      label={t('revoke.reason')}
      description={t('revoke.reasonHint')}
      value={reason}
      onChange={(event) => onReason(event.currentTarget.value)}
      maxLength={1000}
      required
      autosize
      minRows={2}
    />
  );
}
