import { useQuery } from '@tanstack/react-query';
import { Select, type SelectProps } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { useOffer } from '@/components/useOffer';

type Props = SelectProps<string, { value: string; label: string }>;

const LEAST_TYPED = 2;

const named = (people: { name: string; display_name: string }[] | undefined) =>
  people?.map(({ name, display_name }) => ({
    value: name,
    label: display_name && display_name !== name ? `${name} · ${display_name}` : name,
  }));

/** One of all users, for who may see them. */
export function UserPicker(props: Props) {
  const offer = useOffer();
  const users = useQuery({
    ...read('/api/v1/users', { params: { query: { ...offer.query, disabled: false } } }),
    ...offer.rest,
  });
  return <Select {...offer.select(users)} {...props} options={named(users.data?.items)} />;
}

interface Place {
  project: string;
  /** For who owns no more of the project. */
  environment?: string;
}

/** Somebody whose name one knows how it begins, to make them a member of a project or an environment. */
export function CandidatePicker({ project, environment, ...props }: Props & Place) {
  const { t } = useTranslation();
  const offer = useOffer();
  const enough = offer.typed.length >= LEAST_TYPED;
  const query = { q: offer.typed };
  const ofProject = useQuery({
    ...read('/api/v1/projects/{project}/member-candidates', { params: { path: { project }, query } }),
    ...offer.rest,
    enabled: offer.open && enough && environment === undefined,
  });
  const ofEnvironment = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/member-candidates', {
      params: { path: { project, environment: environment ?? '' }, query },
    }),
    ...offer.rest,
    enabled: offer.open && enough && environment !== undefined,
  });
  const candidates = environment === undefined ? ofProject : ofEnvironment;
  return (
    <Select
      {...offer.select(candidates)}
      {...props}
      notFoundContent={enough ? !candidates.isFetching && t('company.nobody') : t('company.type_name')}
      options={enough ? named(candidates.data?.items) : []}
    />
  );
}
