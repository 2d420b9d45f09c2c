import { useTranslation } from 'react-i18next';
import { cores } from './quantity';

/** Says millicores with their unit: `0.5 cores`. */
export function useCores(): (millicores: number) => string {
  const { t } = useTranslation();
  return (millicores) => t('use.cores', { value: cores(millicores), count: millicores / 1_000 });
}
