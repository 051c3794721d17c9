import { Badge, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { CopyButton } from '../parts/copy-button';
import { Fact, Facts } from '../parts/facts';
import { Loaded } from '../parts/states';
import { ClaimMapping } from './claim-mapping';
import { type Provider, PROVIDER } from './provider-queries';

/** One provider: what is registered with it, and whom it makes of people. */
export function ProviderCard({ name, title }: { name: string; title: string }) {
  const query = useQuery(PROVIDER(name));
  return (
    <Card
      title={title}
      actions={
        <Badge component="span" variant="default" tt="none">
          {name}
        </Badge>
      }
    >
      <Loaded query={query}>{(provider) => <Settings provider={provider} />}</Loaded>
    </Card>
  );
}

function Settings({ provider }: { provider: Provider }) {
  const { t } = useTranslation('providers');
  const { t: shell } = useTranslation();
  return (
    <Facts>
      <Fact name={t('issuer')}>
        <span className="mono">{provider.issuer}</span>
      </Fact>
      <Fact name={t('redirectUri')}>
        <Stack gap={4}>
          <Group gap="xs">
            <span className="mono">{provider.redirectUri}</span>
            <CopyButton value={provider.redirectUri} label={t('redirectUri')} />
          </Group>
          <Text size="sm">{t('redirectUriHint')}</Text>
        </Stack>
      </Fact>
      <Fact name={t('clientId')}>
        <span className="mono">{provider.clientId}</span>
      </Fact>
      <Fact name={t('clientSecret')}>{t(provider.hasClientSecret ? 'secretSet' : 'secretNone')}</Fact>
      <Fact name={t('scopes')}>
        <span className="mono">{provider.scopes}</span>
      </Fact>
      <Fact name={t('createsUsers.name')}>
        <Flag isOn={provider.createsUsers} text={t(`createsUsers.${provider.createsUsers ? 'on' : 'off'}`)} />
      </Fact>
      <Fact name={t('loginClaim')}>
        <span className="mono">{provider.loginClaim}</span>
      </Fact>
      <Fact name={t('links.name')}>
        <Linking isOn={provider.linksByVerifiedEmail} />
      </Fact>
      <Fact name={t('role')}>
        <ClaimMapping
          claim={provider.roleClaim}
          meanings={provider.roles}
          label={t('role')}
          none={t('roleNone')}
          rule={t('roleRule')}
          wordOf={(role) => shell(`roles.${role}`, { defaultValue: role })}
        />
      </Fact>
      <Fact name={t('organization')}>
        <ClaimMapping
          claim={provider.organizationClaim}
          meanings={provider.organizations}
          label={t('organization')}
          none={t('organizationNone')}
          rule={t('organizationRule')}
          wordOf={(organization) => organization}
        />
      </Fact>
    </Facts>
  );
}

function Flag({ isOn, text }: { isOn: boolean; text: string }) {
  const Icon = isOn ? IconCheck : IconX;
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <Icon size={16} aria-hidden style={{ flexShrink: 0, marginTop: 3 }} />
      <span>{text}</span>
    </Group>
  );
}

/** It hands people over to the provider, which is to be known by whoever reads it. */
function Linking({ isOn }: { isOn: boolean }) {
  const { t } = useTranslation('providers');
  if (!isOn) return <Flag isOn={false} text={t('links.off')} />;
  return (
    <Stack gap={4}>
      <Flag isOn text={t('links.on')} />
      <Group gap={6} wrap="nowrap" align="flex-start">
        <IconAlertTriangle
          size={16}
          aria-hidden
          color="var(--mantine-color-orange-6)"
          style={{ flexShrink: 0, marginTop: 3 }}
        />
        <Text size="sm" fw={600}>
          {t('links.risk')}
        </Text>
      </Group>
    </Stack>
  );
}
