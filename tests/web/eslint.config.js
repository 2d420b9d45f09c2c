import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: {
      'no-unused-vars': 'error',
      'no-restricted-properties': [
        'error',
        { property: 'waitForTimeout', message: 'wait for a condition, never for a time' },
      ],
    },
  },
];
