import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { ROLES } from './scope';

interface Props {
  value: string | undefined;
  onChange: (value?: string) => void;
}

export function RoleFilter(field: Props) {
  const { t } = useTranslation();
  return (
    <Select
      allowClear
      aria-label={t('company.role')}
      placeholder={t('company.role')}
      {...field}
      options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
    />
  );
}
