import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useLocation, useParams } from 'wouter';
import { administersAll, useMe } from '../api/me';
import { allPlaces } from '../api/places';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { PolicyEditor } from './policy-editor';
import { policyOf } from './policy-queries';
import { PolicyWords } from './policy-words';

/** The policy of the own organization, or of the one in the address. */
export function PolicyPage() {
  const { t } = useTranslation('policy');
  const me = useMe();
  const isOfAll = administersAll(me);
  const { organization: named } = useParams<{ organization?: string }>();
  const organizations = useQuery({ ...allPlaces('organizations'), enabled: isOfAll });
  const wanted = named ?? me.user.organization.id;
  const known = [me.user.organization, ...(organizations.data ?? [])].find(
    ({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase(),
  );
  const organization = known?.id ?? wanted;
  const name = known?.name ?? wanted;
  const query = useQuery(policyOf(organization));
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description', { organization: name })}
        actions={isOfAll && <OrganizationChoice organization={organization} />}
      />
      <Loaded query={query}>
        {(current) => (
          <>
            <PolicyWords policy={current.policy} organization={name} />
            <PolicyEditor key={organization} organization={organization} name={name} current={current} />
          </>
        )}
      </Loaded>
    </>
  );
}

/** Which organization's policy is shown. */
function OrganizationChoice({ organization }: { organization: string }) {
  const { t } = useTranslation('policy');
  const [, navigate] = useLocation();
  const { data, error } = useQuery(allPlaces('organizations'));
  return (
    <Select
      label={t('organization')}
      data={data?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
      value={organization}
      onChange={(id) => id !== null && navigate(`/policy/${id}`)}
      error={error ? t('organizationsFailed') : undefined}
      searchable
      allowDeselect={false}
    />
  );
}
