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

/** Somebody whose name one knows how it begins, to make them a member of a project. */
export function CandidatePicker({ project, ...props }: Props & { project: string }) {
  const { t } = useTranslation();
  const offer = useOffer();
  const enough = offer.typed.length >= LEAST_TYPED;
  const candidates = useQuery({
    ...read('/api/v1/projects/{project}/member-candidates', {
      params: { path: { project }, query: { q: offer.typed } },
    }),
    ...offer.rest,
    enabled: offer.open && enough,
  });
  return (
    <Select
      {...offer.select(candidates)}
      {...props}
      notFoundContent={enough ? !candidates.isFetching && t('company.nobody') : t('company.type_name')}
      options={enough ? named(candidates.data?.items) : []}
    />
  );
}
