import { Segmented } from 'antd';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '../i18n';
import { useLanguage } from '../LanguageProvider';

export function LanguageSwitch() {
  const { t } = useTranslation();
  const { language, choose } = useLanguage();
  return (
    <Segmented
      size="small"
      aria-label={t('shell.language')}
      value={language}
      onChange={choose}
      options={LANGUAGES.map(({ code, name }) => ({ value: code, label: <span lang={code}>{name}</span> }))}
    />
  );
}
