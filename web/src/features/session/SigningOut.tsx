import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { client } from '@/api/client';
import { rememberSession, sessionQuery } from './session';

export function useSignOut() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => client.DELETE('/api/v1/session'),
    // Even if the server is away: this browser forgets who was here.
    onSettled: () => {
      rememberSession(null);
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, null);
      void navigate('/sign-in');
    },
  });
}
