import { Button } from '@mantine/core';
import { IconPencil, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { RevokeDialog } from '../my-tokens/revoke-dialog';
import { RotateDialog } from '../my-tokens/rotate-dialog';
import { EditDialog } from './edit-dialog';
import type { Token } from './queries';

/** What can still be done with a token: one that is revoked stays as it is. */
export function TokenActions({ token }: { token: Token }) {
  const { t } = useTranslation('token');
  const [open, setOpen] = useState<'edit' | 'rotate' | 'revoke'>();
  const close = (): void => setOpen(undefined);
  const isRevoked = token.status === 'revoked';
  return (
    <>
      {!isRevoked && (
        <>
          <Button
            variant="default"
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => setOpen('edit')}
          >
            {t('edit.open')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            onClick={() => setOpen('rotate')}
          >
            {t('my-tokens:rotate.open')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconTrash size={16} aria-hidden color="var(--mantine-color-red-6)" />}
            onClick={() => setOpen('revoke')}
          >
            {t('my-tokens:revoke.open')}
          </Button>
        </>
      )}
      <EditDialog token={token} isOpen={open === 'edit' && !isRevoked} onClose={close} />
      {/* Kept though somebody else revokes the token meanwhile: the new value is shown once. */}
      <RotateDialog token={token} isOpen={open === 'rotate'} onClose={close} />
      <RevokeDialog token={token} isOpen={open === 'revoke' && !isRevoked} onClose={close} />
    </>
  );
}
