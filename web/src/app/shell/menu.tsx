import {
  AppstoreOutlined,
  AuditOutlined,
  BlockOutlined,
  ClusterOutlined,
  CompassOutlined,
  FolderOutlined,
  TeamOutlined,
} from '@ant-design/icons';

/** The pages of the left column, each with the permission that it needs somewhere. */
export const MENU = [
  { to: '/', key: 'overview', icon: <CompassOutlined aria-hidden />, permission: 'service:read', under: [] },
  {
    to: '/services',
    key: 'services',
    icon: <AppstoreOutlined aria-hidden />,
    permission: 'service:read',
    under: [/^\/projects\/[^/]+\/environments\//],
  },
  {
    to: '/containers',
    key: 'containers',
    icon: <BlockOutlined aria-hidden />,
    permission: 'pod:read',
    under: [],
  },
  {
    to: '/clusters',
    key: 'clusters',
    icon: <ClusterOutlined aria-hidden />,
    permission: 'cluster:read',
    under: [],
  },
  {
    to: '/projects',
    key: 'projects',
    icon: <FolderOutlined aria-hidden />,
    permission: 'project:read',
    under: [],
  },
  {
    to: '/company/users',
    key: 'company',
    icon: <TeamOutlined aria-hidden />,
    permission: 'user:read',
    under: [/^\/company\//],
  },
  { to: '/audit', key: 'audit', icon: <AuditOutlined aria-hidden />, permission: 'audit:read', under: [] },
] as const;

export type MenuKey = (typeof MENU)[number]['key'];

/** The entry that a page belongs to. */
export function activeEntry(pathname: string): MenuKey | undefined {
  const special = MENU.find(({ under }) =>
    (under as readonly RegExp[]).some((pattern) => pattern.test(pathname)),
  );
  if (special) return special.key;
  if (pathname === '/' || pathname === '/operations') return 'overview';
  return MENU.find(({ to }) => to !== '/' && (pathname === to || pathname.startsWith(`${to}/`)))?.key;
}
