import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPencil } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EditDialog } from './edit-dialog';
import type { Token } from './queries';

/** What can still be done with a token: one that is revoked stays as it is. */
export function TokenActions({ token }: { token: Token }) {
  const { t } = useTranslation('token');
  const [isEditing, editing] = useDisclosure();
  if (token.status === 'revoked') return null;
  return (
    <>
      <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} onClick={editing.open}>
        {t('edit.open')}
      </Button>
      <EditDialog token={token} isOpen={isEditing} onClose={editing.close} />
    </>
  );
}
