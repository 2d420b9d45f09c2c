import { DownloadOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { saveFile } from '@/components/saveFile';
import type { Range } from './range';
import type { Selection } from './useUsage';

/** Saves the range's sums by service as a file. */
export function ExportUsage({ selection, every }: { selection: Selection; every: Range['every'] }) {
  const { t } = useTranslation();
  const save = useMutation({
    mutationFn: async () => {
      const file = await send<Blob>(
        client.GET('/api/v1/usage/export', {
          params: { query: { ...selection, every, by: 'service' } },
          parseAs: 'blob',
        }),
      );
      saveFile(file, `usage-${selection.project}.csv`);
    },
  });
  return (
    <>
      <Button
        size="small"
        icon={<DownloadOutlined aria-hidden />}
        loading={save.isPending}
        onClick={() => save.mutate()}
      >
        {t('usage.export')}
      </Button>
      {save.error && <ErrorPanel inline error={save.error} />}
    </>
  );
}
