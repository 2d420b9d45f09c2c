import { useTranslation } from 'react-i18next';
import { TabLinks } from '@/components/TabLinks';

const TABS = ['users', 'bindings', 'roles', 'locks', 'prices'] as const;

/** The pages about people, beside each other. */
export function CompanyTabs({ active }: { active: (typeof TABS)[number] }) {
  const { t } = useTranslation();
  return (
    <TabLinks
      label={t('menu.company')}
      active={active}
      tabs={TABS.map((key) => ({ key, label: t(`company.${key}`), to: `/company/${key}` }))}
    />
  );
}
