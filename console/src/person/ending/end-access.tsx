import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBan } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useMe } from '../../api/me';
import type { User } from '../queries';
import { EndingProgress } from './ending-progress';
import { EndingQuestion } from './ending-question';
import { useEnding } from './use-ending';

/** One button that ends all that somebody can do here. */
export function EndAccess({ user }: { user: User }) {
  const { t } = useTranslation('person');
  const me = useMe();
  const [isOpen, { open, close }] = useDisclosure();
  const { ending, begin, retry, forget } = useEnding(user.id);
  // Who ends the own access could not see it through.
  if (user.id === me.user.id) return null;
  const leave = (): void => {
    close();
    if (ending.step === 'done') forget();
  };
  return (
    <>
      <Button color="red" leftSection={<IconBan size={16} aria-hidden />} onClick={open}>
        {t('ending.open')}
      </Button>
      <Modal
        opened={isOpen}
        onClose={leave}
        closeOnClickOutside={!ending.isBusy}
        title={t('ending.title', { login: user.login })}
        size="lg"
        closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
      >
        {isOpen &&
          (ending.step === undefined ? (
            <EndingQuestion user={user} onConfirm={begin} onClose={leave} />
          ) : (
            <EndingProgress ending={ending} onRetry={retry} onClose={leave} />
          ))}
      </Modal>
    </>
  );
}
