import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Service } from '@/api/types';
import { Age } from '@/components/Age';
import { Image } from '@/components/Image';
import { sortOrder } from '@/components/listState';
import { servicePath } from '@/components/paths';
import { Replicas } from '@/components/Replicas';
import { ShortMessage } from '@/components/ShortMessage';
import { ServiceStateTag } from '@/components/StateTag';
import { ServiceMenu } from './actions/ServiceMenu';
import type { ServiceActionChoice } from './actions/ServiceAction';
import styles from './services.module.css';

export function addressOf(service: Service) {
  return { project: service.project, environment: service.environment, service: service.name };
}

/** Columns that a list has only when somebody asks for them. */
export const EXTRA_COLUMNS = ['since', 'description', 'kind', 'created_at'];

/** Columns of every list of services; without `onAction` it has no row menu. */
export function useServiceColumns(
  sort: string | undefined,
  onAction?: (choice: ServiceActionChoice) => void,
): TableColumnsType<Service> {
  const { t } = useTranslation();
  const columns: TableColumnsType<Service> = [
    {
      key: 'name',
      title: t('word.name'),
      sorter: true,
      sortOrder: sortOrder(sort, 'name'),
      render: (_, service) => (
        <div>
          <Link to={servicePath(addressOf(service))} className={styles.name}>
            {service.name}
          </Link>
          <div className={styles.under}>
            {service.project} / {service.environment}
          </div>
        </div>
      ),
    },
    {
      key: 'state',
      title: t('word.state'),
      render: (_, { status }) => (
        <div className={styles.state}>
          <ServiceStateTag status={status} />
          {status.message && <ShortMessage message={status.message} />}
        </div>
      ),
    },
    {
      key: 'replicas',
      title: t('word.replicas'),
      render: (_, { status }) => <Replicas {...status} />,
    },
    {
      key: 'image',
      title: t('word.image'),
      responsive: ['md'],
      render: (_, { image }) => <Image image={image} />,
    },
    {
      key: 'revision',
      title: t('word.revision'),
      responsive: ['lg'],
      render: (_, { revision, latest_revision }) => (
        <span className="number">
          {revision}
          {latest_revision > revision && (
            <span className="faint"> · {t('service.newer_revision', { revision: latest_revision })}</span>
          )}
        </span>
      ),
    },
    {
      key: 'updated_at',
      title: t('word.updated'),
      sorter: true,
      sortOrder: sortOrder(sort, 'updated_at'),
      responsive: ['sm'],
      render: (_, { updated_at, updated_by }) => (
        <div>
          <Age at={updated_at} />
          <div className={styles.under}>{updated_by}</div>
        </div>
      ),
    },
    {
      key: 'since',
      title: t('service.state_since'),
      render: (_, { status }) => <Age at={status.since} />,
    },
    {
      key: 'description',
      title: t('word.description'),
      render: (_, { description }) => <div className={styles.description}>{description}</div>,
    },
    { key: 'kind', title: t('word.kind'), render: (_, { kind }) => kind },
    { key: 'created_at', title: t('word.created'), render: (_, { created_at }) => <Age at={created_at} /> },
  ];
  if (onAction) {
    columns.push({
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      width: 48,
      render: (_, service) => <ServiceMenu service={service} onAction={onAction} />,
    });
  }
  return columns;
}
