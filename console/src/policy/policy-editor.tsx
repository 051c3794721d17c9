import { Box, Grid, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/problem';
import { queries } from '../api/queries';
import { ConfirmDialog } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { ConformanceProgress } from './conformance-progress';
import { PolicyConflict } from './policy-conflict';
import { differences, draftOf, merged, type PolicyDraft, read } from './policy-draft';
import { PolicyEffects } from './policy-effects';
import { PolicyFields } from './policy-fields';
import {
  type Existing,
  type Job,
  type Policy,
  policyOf,
  previewOf,
  replacePolicy,
  type Rule,
  type TaggedPolicy,
} from './policy-queries';
import { SavePolicy } from './save-policy';

/** A preview begins so long after the last key. */
const PAUSE_MS = 400;

/** The form of a policy beside what it would mean. What is typed stays, whatever others do in the meantime. */
export function PolicyEditor({
  organization,
  name,
  current,
}: {
  organization: string;
  name: string;
  /** As the server had it when it was asked last. */
  current: TaggedPolicy;
}) {
  const { t } = useTranslation('policy');
  const [base, setBase] = useState(current);
  const [draft, setDraft] = useState<PolicyDraft>(() => draftOf(current.policy));
  const [existing, setExisting] = useState<Existing>('keep');
  const [isAsking, setIsAsking] = useState(false);
  const [job, setJob] = useState<Job>();
  const { policy: mine, mistakes } = withPolicy(read(draft));
  const changedHere = mine ? differences(base.policy, mine) : [];
  const isDirty = !mine || changedHere.length > 0;
  useWarning(isDirty);

  const adopt = (tagged: TaggedPolicy, next = draftOf(tagged.policy)): void => {
    setBase(tagged);
    setDraft(next);
  };
  const isOutdated = current.entityTag !== base.entityTag;
  if (isOutdated && !isDirty) adopt(current);

  const preview = usePreview(organization, mine);
  const save = useMutation({
    mutationFn: (policy: Policy) =>
      replacePolicy(organization, policy, { entityTag: base.entityTag, existing }),
    onSuccess: ({ saved, job: started }) => {
      queries.setQueryData(policyOf(organization).queryKey, saved);
      adopt(saved);
      setIsAsking(false);
      setJob(started);
      setExisting('keep');
      void queries.invalidateQueries({ queryKey: ['tokens'] });
      notifyDone(t('save.done'));
    },
    onError: (error) => {
      if (!isStale(error)) return;
      setIsAsking(false);
      void queries.invalidateQueries(policyOf(organization));
    },
  });
  const refused = [save.error, preview.error].filter((one) => one instanceof ApiProblem);
  const errorOf = (rule: Rule): string | undefined => {
    if (mistakes?.[rule]) return t(`mistakes.${mistakes[rule]}`);
    return refused.flatMap(({ errors }) => errors).find(({ pointer }) => pointer.split('/')[1] === rule)
      ?.detail;
  };
  const isAtField = (error: unknown): boolean => error instanceof ApiProblem && error.errors.length > 0;
  const saveError = save.error && !isStale(save.error) && !isAtField(save.error) ? save.error : null;
  const change = (changes: Partial<PolicyDraft>): void => {
    setDraft((before) => ({ ...before, ...changes }));
    if (save.error) save.reset();
  };

  return (
    <>
      {isOutdated && isDirty && (
        <PolicyConflict
          base={base.policy}
          mine={mine}
          theirs={current.policy}
          onMerge={() => adopt(current, merged(draft, changedHere, current.policy))}
          onOverwrite={() => adopt(current, draft)}
          onDiscard={() => adopt(current)}
        />
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <PolicyFields draft={draft} onChange={change} errorOf={errorOf} isDisabled={save.isPending} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Box pos={{ md: 'sticky' }} top={{ md: 72 }}>
            <Stack>
              <PolicyEffects
                preview={preview.data}
                isCounting={preview.isCounting}
                isReadable={mine !== undefined}
                error={isAtField(preview.error) ? null : preview.error}
                onRetry={preview.retry}
              />
              <SavePolicy
                existing={existing}
                onChoose={setExisting}
                isDirty={isDirty}
                isBusy={save.isPending}
                isBlocked={!mine || isOutdated || isAtField(preview.error)}
                error={isAsking ? null : saveError}
                onSave={() => (existing === 'conform' ? setIsAsking(true) : mine && save.mutate(mine))}
                onReset={() => adopt(current)}
              />
              {job && <ConformanceProgress key={job.id} started={job} />}
            </Stack>
          </Box>
        </Grid.Col>
      </Grid>
      <ConfirmDialog
        isOpen={isAsking}
        title={t('confirm.title')}
        action={t('confirm.submit')}
        typed={name}
        isBusy={save.isPending}
        isBlocked={preview.isCounting || !preview.data}
        error={saveError}
        onConfirm={() => mine && save.mutate(mine)}
        onClose={() => setIsAsking(false)}
      >
        <Text>{t('confirm.count', { count: preview.data?.affected ?? 0 })}</Text>
        <Text>{t('confirm.what')}</Text>
      </ConfirmDialog>
    </>
  );
}

/** What the server counts of the policy in the form, once nobody has typed for a moment. */
function usePreview(organization: string, policy: Policy | undefined) {
  const wanted = policy && JSON.stringify(policy);
  const [asked] = useDebouncedValue(wanted, PAUSE_MS);
  const isAsked = asked !== undefined;
  const query = useQuery({
    ...previewOf(organization, isAsked ? (JSON.parse(asked) as Policy) : ({} as Policy)),
    enabled: isAsked,
    placeholderData: keepPreviousData,
  });
  return {
    data: query.data,
    error: query.isFetching ? null : query.error,
    isCounting: wanted !== undefined && (wanted !== asked || query.isFetching),
    retry: () => void query.refetch(),
  };
}

function withPolicy(found: ReturnType<typeof read>) {
  return 'policy' in found ? found : { policy: undefined, mistakes: found.mistakes };
}

function isStale(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 412;
}

/** The browser asks before it leaves the page while something is not saved. */
function useWarning(isDirty: boolean): void {
  useEffect(() => {
    if (!isDirty) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isDirty]);
}
