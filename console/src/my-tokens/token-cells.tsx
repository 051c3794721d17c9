import { Badge, Text, Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useScopeWords } from '../dialects/dialect-words';
import { Moment } from '../parts/moment';
import type { Token } from './queries';
import './my-tokens.css';

const MAX_NAMED = 20;
const COLORS: Record<Token['status'], string> = {
  active: 'green',
  inactive: 'gray',
  expired: 'gray',
  revoked: 'red',
};

/** The first of what a token may do, and how much more there is; all of it on hover or focus. */
export function ScopeSummary({ scopes }: { scopes: string[] }) {
  const { t } = useTranslation('my-tokens');
  const { words } = useScopeWords();
  const [first] = scopes;
  if (first === undefined) return <Text size="sm">{t('list.noScopes')}</Text>;
  const summary =
    scopes.length === 1 ? words(first) : t('list.andMore', { first: words(first), count: scopes.length - 1 });
  return (
    <Tooltip
      multiline
      maw={360}
      label={scopes.slice(0, MAX_NAMED).map(words).join('; ')}
      disabled={scopes.length === 1}
      events={{ hover: true, focus: true, touch: true }}
    >
      <Text size="sm" lineClamp={2} tabIndex={scopes.length === 1 ? undefined : 0}>
        {summary}
      </Text>
    </Tooltip>
  );
}

/** When and from where a token was used last. */
export function LastUse({ token: { lastUsedAt, lastUsedAddress } }: { token: Token }) {
  const { t } = useTranslation('my-tokens');
  return (
    <>
      <Moment at={lastUsedAt} none={t('list.neverUsed')} />
      {lastUsedAddress && (
        <Text size="sm" className="mono">
          {lastUsedAddress}
        </Text>
      )}
    </>
  );
}

export function StatusBadge({ status }: { status: Token['status'] }) {
  const { t } = useTranslation();
  return (
    <Badge variant="outline" color={COLORS[status]} tt="none" className="status">
      {t(`statuses.${status}`)}
    </Badge>
  );
}
