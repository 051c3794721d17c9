import { Group, SimpleGrid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { PersonLink } from '../events/actor';
import { DialectBadge } from '../dialects/dialect-words';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { StatusBadge } from '../parts/status-badge';
import { type Token, TOKEN } from './queries';
import { TokenActions } from './token-actions';
import { TokenFacts } from './token-facts';
import { TokenHistory } from './token-history';
import { TokenIssued } from './token-issued';
import { TokenLife } from './token-life';
import { TokenPlaces, TokenUse } from './token-places';
import { TokenScopes } from './token-scopes';

/** Everything about one token, for everybody who may see it. */
export function TokenPage() {
  const { tokenId } = useParams<{ tokenId: string }>();
  const query = useQuery(TOKEN(tokenId));
  return <Loaded query={query}>{(token) => <OneToken token={token} />}</Loaded>;
}

function OneToken({ token }: { token: Token }) {
  // The words of its parts as well: a part that waits for its own would hide the page again.
  const { t } = useTranslation(['token', 'events', 'dialects', 'my-tokens']);
  return (
    <>
      <PageHeader
        title={token.name}
        description={
          <Group component="span" gap="xs">
            <StatusBadge status={token.status} />
            <DialectBadge dialect={token.dialect} />
            <span>
              {t('of')} <PersonLink login={token.owner.login} /> · {token.organization.name}
            </span>
          </Group>
        }
        actions={<TokenActions token={token} />}
      />
      <Stack>
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          <Stack miw={0}>
            <TokenFacts token={token} />
            <TokenLife token={token} />
          </Stack>
          <Stack miw={0}>
            <TokenScopes token={token} />
            <TokenPlaces token={token} />
            <TokenUse token={token} />
            <TokenIssued token={token} />
          </Stack>
        </SimpleGrid>
        <TokenHistory token={token} />
      </Stack>
    </>
  );
}
