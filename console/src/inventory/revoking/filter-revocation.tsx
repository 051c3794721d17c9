import { Alert, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client, type Schemas } from '../../api/client';
import { ApiProblem } from '../../api/problem';
import { ConfirmForm } from '../../parts/confirm-dialog';
import { Loaded } from '../../parts/states';
import { useFilterWords } from '../filters/filter-chips';
import { apiFilter, FILTER_NAMES, type TokenFilter } from '../token-filters';
import { ReasonInput } from './reason-input';
import { RevocationProgress } from './revocation-progress';
import { RevocationSample } from './revocation-sample';
import type { RevocationDialogProps } from './row-revocation';

/** Ends all tokens that the filters mean: what that is comes first, then what it must be typed for, then how far it is. */
export function FilterRevocation({ filter, isOpen, onClose, onDone }: RevocationDialogProps) {
  const { t } = useTranslation('inventory');
  const [jobId, setJobId] = useState<string>();
  const close = (): void => {
    if (jobId !== undefined) onDone();
    setJobId(undefined);
    onClose();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      size="lg"
      title={t('revoke.title')}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {isOpen &&
        (jobId === undefined ? (
          <Question filter={filter} onBegun={setJobId} onClose={close} />
        ) : (
          <RevocationProgress jobId={jobId} onClose={close} />
        ))}
    </Modal>
  );
}

function usePreview(filter: TokenFilter) {
  return useQuery({
    queryKey: ['revocation-preview', filter],
    queryFn: async () => {
      const body = { ...meant(filter), dryRun: true };
      return (await answerOf(
        client.POST('/patois/v1/revocations', { body }),
      )) as Schemas['RevocationPreview'];
    },
    // Read anew for each question, and never while somebody types its number.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnReconnect: false,
  });
}

function Question({
  filter,
  onBegun,
  onClose,
}: {
  filter: TokenFilter;
  onBegun: (jobId: string) => void;
  onClose: () => void;
}) {
  const { t, i18n } = useTranslation('inventory');
  const [reason, setReason] = useState('');
  const preview = usePreview(filter);
  const begin = useMutation({
    mutationFn: async (expectedCount: number) => {
      const body = { ...meant(filter), reason: reason.trim(), expectedCount };
      return (await answerOf(client.POST('/patois/v1/revocations', { body }))) as Schemas['Job'];
    },
    onSuccess: ({ id }) => onBegun(id),
    onError: (error) => {
      if (hasChanged(error)) void preview.refetch();
    },
  });
  const isChanged = hasChanged(begin.error);
  return (
    <Loaded query={preview}>
      {({ count, sample }) => (
        <ConfirmForm
          action={t('revoke.action', { count, number: new Intl.NumberFormat(i18n.language).format(count) })}
          typed={String(count)}
          isBusy={begin.isPending}
          isBlocked={count === 0 || reason.trim() === '' || preview.isFetching}
          error={isChanged ? undefined : begin.error}
          onConfirm={() => begin.mutate(count)}
          onClose={onClose}
        >
          <Stack gap="sm">
            {isChanged && (
              <Alert color="orange" role="alert" title={t('revoke.changed')}>
                {preview.isFetching ? t('counting') : t('revoke.changedText', { count })}
              </Alert>
            )}
            <Meaning filter={filter} />
            <RevocationSample count={count} sample={sample} />
            <ReasonInput reason={reason} onReason={setReason} />
          </Stack>
        </ConfirmForm>
      )}
    </Loaded>
  );
}

/** In words which tokens end. */
function Meaning({ filter }: { filter: TokenFilter }) {
  const { t } = useTranslation('inventory');
  const wordsOf = useFilterWords();
  const words = FILTER_NAMES.filter((name) => filter[name] !== undefined).map((name) =>
    wordsOf(name, filter[name] ?? ''),
  );
  return (
    <Text size="sm">
      {words.length === 0 ? t('revoke.everything') : t('revoke.meant', { filters: words.join(' · ') })}
    </Text>
  );
}

/** A filter that narrows nothing must be meant so. */
function meant(filter: TokenFilter): { filter: Schemas['TokenFilter']; everything?: true } {
  const body = apiFilter(filter);
  return Object.keys(body).length === 0 ? { filter: body, everything: true } : { filter: body };
}

function hasChanged(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 409;
}
