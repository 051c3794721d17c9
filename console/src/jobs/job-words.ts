import { useTranslation } from 'react-i18next';
import { JOB_KINDS } from './job-queries';

/** What a kind of job does, in words. */
export function useKindName(): (kind: string) => string {
  const { t } = useTranslation('jobs');
  return (kind) => (JOB_KINDS.some((one) => one === kind) ? t(`kinds.${kind}.name`) : kind);
}
