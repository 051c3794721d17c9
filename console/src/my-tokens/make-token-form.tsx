import { Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answerOf, client, type Schemas } from '../api/client';
import { useMe } from '../api/me';
import type { Dialect } from '../dialects/dialect-list';
import { useDialectTitle } from '../dialects/dialect-words';
import { Card } from '../parts/card';
import { Problem } from '../parts/confirm-dialog';
import { CidrField } from './cidr-field';
import { bodyOf, fieldErrors, isComplete, type TokenDraft } from './draft';
import { firstExpiry } from './expiry';
import { ExpiryField } from './expiry-field';
import type { Policy, TokenWithSecret } from './queries';
import { ScopeField } from './scope-field';
import { isRepetition, useSecretCall } from './use-secret-call';

const MAX_NAME = 255;

/** All of a new token but its dialect. What was typed stays until the token is made. */
export function MakeTokenForm({
  dialect,
  dialects,
  policy,
  onMade,
}: {
  dialect: Dialect;
  /** All of them: a token of Patois may hold the scopes of every one. */
  dialects: Dialect[];
  policy: Policy;
  onMade: (made: TokenWithSecret) => void;
}) {
  const { t } = useTranslation('my-tokens');
  const { user, address } = useMe();
  const title = useDialectTitle();
  const [draft, setDraft] = useState<TokenDraft>(() => ({
    dialect: dialect.name,
    name: '',
    description: '',
    scopes: (dialect.defaultScopes ?? []).filter((scope) => dialect.grantable.includes(scope)),
    expiry: firstExpiry(policy),
    date: '',
    cidrs: '',
  }));
  const [openedAt] = useState(Date.now);
  const set = (changes: Partial<TokenDraft>): void => setDraft((known) => ({ ...known, ...changes }));
  const { submit, error, isBusy } = useSecretCall<Schemas['CreateToken']>(
    (body, key) =>
      answerOf(client.POST('/patois/v1/tokens', { params: { header: { 'Idempotency-Key': key } }, body })),
    onMade,
  );
  const errors = fieldErrors(error);
  const isTold = Object.keys(errors).length > 0;
  const isReady = isComplete(draft, policy, openedAt);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) void submit(JSON.stringify(draft), () => bodyOf(draft, user.id, policy, Date.now()));
      }}
    >
      <Stack maw={860}>
        <Card title={t('make.about')}>
          <TextInput
            label={t('make.name')}
            description={
              dialect.hasUniqueNames
                ? t('make.nameUnique', { dialect: title(dialect.name) })
                : t('make.nameHint')
            }
            value={draft.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
            error={errors.name}
            maxLength={MAX_NAME}
            required
            autoComplete="off"
          />
          <Textarea
            label={t('make.descriptionLabel')}
            value={draft.description}
            onChange={(event) => set({ description: event.currentTarget.value })}
            error={errors.description}
            autosize
            minRows={2}
            maxRows={6}
          />
        </Card>
        <Card title={t('scopes.title')}>
          <ScopeField
            dialect={dialect}
            dialects={dialects}
            chosen={draft.scopes}
            onChange={(scopes) => set({ scopes })}
            error={errors.scopes}
          />
        </Card>
        <Card title={t('expiry.title')}>
          <ExpiryField draft={draft} policy={policy} onChange={set} error={errors.expiry} />
        </Card>
        <Card title={t('places.title')}>
          <CidrField
            value={draft.cidrs}
            address={address}
            policy={policy}
            onChange={(cidrs) => set({ cidrs })}
            error={errors.cidrs}
          />
        </Card>
        {error && !isTold ? <Problem error={error} /> : null}
        {isRepetition(error) && <Text size="sm">{t('make.repeated')}</Text>}
        <Group>
          <Button type="submit" loading={isBusy} disabled={!isReady}>
            {t('make.submit')}
          </Button>
          <Button variant="default" component={Link} href="/tokens">
            {t('shell:confirm.cancel')}
          </Button>
          {!isReady && <Text size="sm">{missingIn(draft, t)}</Text>}
        </Group>
      </Stack>
    </form>
  );
}

/** What is still to be done first, in a word. */
function missingIn({ name, scopes }: TokenDraft, t: (key: string) => string): string {
  if (name.trim() === '') return t('make.missingName');
  if (scopes.length === 0) return t('make.missingScopes');
  return t('make.missingOther');
}
