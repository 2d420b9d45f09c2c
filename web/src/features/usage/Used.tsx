import { useTranslation } from 'react-i18next';
import { useLanguage } from '@/app/LanguageProvider';
import { figure } from './figures';

interface Props {
  value: number | null | undefined;
  /** The part of the time of which it is known, 0 to 1. */
  measured: number;
  /** The figure with its unit, where no heading says it. */
  withUnit?: (figure: string) => string;
}

/** What was used, as far as it was measured; grey where it was not. */
export function Used({ value, measured, withUnit = String }: Props) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  if (value === null || value === undefined) return <span className="faint">{t('usage.not_measured')}</span>;
  return (
    <>
      {withUnit(figure(value, tag))}
      {measured < 0.995 && (
        <span className="faint"> {t('usage.measured', { percent: Math.floor(measured * 100) })}</span>
      )}
    </>
  );
}
