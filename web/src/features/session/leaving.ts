import { createContext, useContext } from 'react';

export const LeaveContext = createContext<() => void>(() => undefined);

/** Signs out; only below `SessionGuard`. */
export function useSignOut(): () => void {
  return useContext(LeaveContext);
}
