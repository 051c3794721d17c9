import { Group, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Person, PersonLink } from '../events/actor';
import { Card } from '../parts/card';
import { CopyButton } from '../parts/copy-button';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import type { Token } from './queries';

/** What a token is: whose, by whom, since when and until when. */
export function TokenFacts({ token }: { token: Token }) {
  const { t } = useTranslation('token');
  return (
    <Card title={t('facts.title')}>
      <Facts>
        <Fact name={t('facts.tokenId')}>
          <Id value={token.tokenId} label={t('facts.tokenId')} />
        </Fact>
        {token.externalId !== token.tokenId && (
          <Fact name={t('facts.externalId')}>
            <Id value={token.externalId} label={t('facts.externalId')} />
          </Fact>
        )}
        {token.description !== null && token.description !== '' && (
          <Fact name={t('facts.description')}>
            <Text span inherit className="pre-line">
              {token.description}
            </Text>
          </Fact>
        )}
        <Fact name={t('facts.owner')}>
          <PersonLink login={token.owner.login} />
        </Fact>
        <Fact name={t('facts.organization')}>{token.organization.name}</Fact>
        <Fact name={t('facts.created')}>
          <Moment at={token.createdAt} /> · <Doer doer={token.createdBy} token={token} />
        </Fact>
        <Fact name={t('facts.updated')}>
          <Moment at={token.updatedAt} none={t('facts.neverUpdated')} />
        </Fact>
        <Fact name={t('facts.expires')}>
          <Moment at={token.expiresAt} none={t('facts.never')} />
        </Fact>
        {token.revokedAt !== null && (
          <Fact name={t('facts.revoked')}>
            <Moment at={token.revokedAt} />
            {token.revokedBy !== null && (
              <>
                {' · '}
                <Doer doer={token.revokedBy} token={token} />
              </>
            )}
          </Fact>
        )}
        {token.revokeReason !== null && <Fact name={t('facts.reason')}>{token.revokeReason}</Fact>}
      </Facts>
    </Card>
  );
}

function Id({ value, label }: { value: string; label: string }) {
  return (
    <Group gap="xs">
      <span className="mono">{value}</span>
      <CopyButton value={value} label={label} />
    </Group>
  );
}

/** Who made or ended a token. Of a token the answer has the uuid alone, which leads nowhere: the history names it. */
function Doer({ doer, token }: { doer: Token['createdBy']; token: Token }) {
  const { t } = useTranslation('events');
  if (doer.type === 'user' && doer.id !== null) return <Person id={doer.id} known={token.owner} />;
  if (doer.type === 'token') return <>{t(doer.id === token.uuid ? 'tokenItself' : 'aToken')}</>;
  return <>{t('system')}</>;
}
