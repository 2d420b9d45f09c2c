import { createBrowserRouter, type RouteObject } from 'react-router';
import { CrashPage } from './CrashPage';
import { NotFoundPage } from './NotFoundPage';
import { SessionGuard } from '@/features/session/SessionGuard';
import { Shell } from './shell/Shell';
import { PageLoading } from '@/components/Loading';

/** A page in a chunk of its own. */
function page(load: () => Promise<{ Page: React.ComponentType }>): Pick<RouteObject, 'lazy'> {
  return { lazy: async () => ({ Component: (await load()).Page }) };
}

export const router = createBrowserRouter([
  {
    ErrorBoundary: CrashPage,
    HydrateFallback: PageLoading,
    children: [
      { path: '/sign-in', ...page(() => import('@/features/session/SignInPage')) },
      {
        Component: SessionGuard,
        children: [
          {
            Component: Shell,
            children: [
              {
                ErrorBoundary: CrashPage,
                children: [
                  { index: true, ...page(() => import('@/features/overview/OverviewPage')) },
                  { path: '/services', ...page(() => import('@/features/services/ServicesPage')) },
                  { path: '/services/new', ...page(() => import('@/features/services/CreateServicePage')) },
                  {
                    path: '/projects/:project/environments/:environment/services/:service/edit',
                    ...page(() => import('@/features/services/EditServicePage')),
                  },
                  {
                    path: '/projects/:project/environments/:environment/services/:service/:tab?',
                    ...page(() => import('@/features/services/ServicePage')),
                  },
                  { path: '/containers', ...page(() => import('@/features/pods/PodsPage')) },
                  { path: '/clusters', ...page(() => import('@/features/clusters/ClustersPage')) },
                  { path: '/clusters/new', ...page(() => import('@/features/clusters/RegisterClusterPage')) },
                  { path: '/clusters/:cluster', ...page(() => import('@/features/clusters/ClusterPage')) },
                  { path: '/projects', ...page(() => import('@/features/projects/ProjectsPage')) },
                  {
                    path: '/projects/:project/:tab?',
                    ...page(() => import('@/features/projects/ProjectPage')),
                  },
                  { path: '/operations', ...page(() => import('@/features/overview/OperationsPage')) },
                  { path: '/audit', ...page(() => import('@/features/audit/AuditPage')) },
                  { path: '/company/users', ...page(() => import('@/features/company/UsersPage')) },
                  { path: '/company/users/:user', ...page(() => import('@/features/company/UserPage')) },
                  { path: '/company/bindings', ...page(() => import('@/features/company/BindingsPage')) },
                  { path: '/company/roles', ...page(() => import('@/features/company/RolesPage')) },
                  { path: '/company/locks', ...page(() => import('@/features/company/LocksPage')) },
                  { path: '/company/prices', ...page(() => import('@/features/usage/PricesPage')) },
                  { path: '/sessions', ...page(() => import('@/features/session/SessionsPage')) },
                  { path: '/password', ...page(() => import('@/features/session/PasswordPage')) },
                  { path: '/tokens', ...page(() => import('@/features/session/TokensPage')) },
                  { path: '*', Component: NotFoundPage },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
]);
