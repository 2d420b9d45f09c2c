import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Service } from '@/api/types';
import { BulkBar } from '@/components/bulk/BulkBar';
import type { Selection } from '@/components/bulk/useSelection';
import { BulkServices } from './BulkServices';
import { BULK_KINDS, type BulkKind } from './plans';

/** What can be done with all the services that are chosen. */
export function ServiceBulkBar({ selection }: { selection: Selection<Service> }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<{ kind: BulkKind; services: Service[] }>();
  return (
    <>
      <BulkBar count={selection.keys.length} elsewhere={selection.elsewhere} onClear={selection.clear}>
        {BULK_KINDS.map((kind) => (
          <Button
            key={kind}
            danger={kind === 'delete'}
            onClick={() => setAsked({ kind, services: selection.chosen })}
          >
            {t(`bulk.${kind}`)}
          </Button>
        ))}
      </BulkBar>
      {asked && (
        <BulkServices
          {...asked}
          onClose={(begun) => {
            setAsked(undefined);
            if (begun) selection.clear();
          }}
        />
      )}
    </>
  );
}
