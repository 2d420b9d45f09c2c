import { Tooltip } from 'antd';
import { useLanguage } from '@/app/LanguageProvider';
import { formatTime, relativeTime } from './time';
import { useNow } from './useNow';

/** How long ago; the moment itself on hover. */
export function Age({ at, className }: { at: string | null | undefined; className?: string }) {
  const now = useNow();
  const { tag } = useLanguage();
  if (!at) return <span className="faint">–</span>;
  return (
    <Tooltip title={formatTime(at, 'moment', tag)}>
      <time dateTime={at} className={`nowrap ${className ?? ''}`}>
        {relativeTime(at, now, tag)}
      </time>
    </Tooltip>
  );
}
