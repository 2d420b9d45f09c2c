import { useTranslation } from 'react-i18next';

/** How many replicas there may be, in words. */
export function useBounds(): (min: number, max: number) => string {
  const { t } = useTranslation();
  return (min, max) =>
    min === max ? t('autoscaling.bounds_same', { count: min }) : t('autoscaling.bounds', { min, max });
}
