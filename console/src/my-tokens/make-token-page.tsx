import { Anchor, Paper } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useSearchParams } from 'wouter';
import { DIALECTS, inOrder } from '../dialects/dialect-list';
import { notifyDone } from '../parts/notify';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { DialectChoice } from './dialect-choice';
import { MakeTokenForm } from './make-token-form';
import { MY_POLICY, type TokenWithSecret } from './queries';
import { SecretPanel } from './secret-panel';
import './my-tokens.css';

/** Makes a token: first for which dialect, then the rest; at last its secret, once. */
export function MakeTokenPage() {
  const { t } = useTranslation('my-tokens');
  const [made, setMade] = useState<TokenWithSecret>();
  const [, navigate] = useLocation();
  if (!made) return <Choices onMade={setMade} />;
  const leave = (): void => {
    notifyDone(t('secret.gone'));
    navigate('/tokens');
  };
  return <Made token={made} onClose={leave} />;
}

function Made({ token, onClose }: { token: TokenWithSecret; onClose: () => void }) {
  const { t } = useTranslation('my-tokens');
  // The form was longer: what matters now is at the top.
  useEffect(() => {
    window.scrollTo(0, 0);
    document.getElementById('page')?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <PageHeader title={t('make.done', { name: token.name })} />
      <Paper withBorder p="md" maw={860}>
        <SecretPanel token={token} onClose={onClose} />
      </Paper>
    </>
  );
}

function Choices({ onMade }: { onMade: (made: TokenWithSecret) => void }) {
  const { t } = useTranslation('my-tokens');
  const dialects = useQuery(DIALECTS);
  const policy = useQuery(MY_POLICY);
  const [search, setSearch] = useSearchParams();
  const chosen = search.get('dialect');
  const choose = (name: string): void => setSearch({ dialect: name }, { replace: true });
  return (
    <>
      <Anchor component={Link} href="/tokens" size="sm">
        {t('make.back')}
      </Anchor>
      <PageHeader title={t('make.title')} description={t('make.description')} />
      <Loaded query={dialects}>
        {(found) => {
          const dialect = found.find(({ name }) => name === chosen);
          return (
            <>
              <DialectChoice dialects={inOrder(found)} chosen={chosen} onChoose={choose} />
              {dialect && (
                <Loaded query={policy}>
                  {(rules) => (
                    <MakeTokenForm
                      key={dialect.name}
                      dialect={dialect}
                      dialects={found}
                      policy={rules}
                      onMade={onMade}
                    />
                  )}
                </Loaded>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}
