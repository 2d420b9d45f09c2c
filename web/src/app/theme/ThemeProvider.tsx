import { App as AntApp, ConfigProvider, theme as antTheme, type ThemeConfig } from 'antd';
import type { Locale } from 'antd/es/locale';
import {
  createContext,
  type ReactNode,
  useContext,
  useLayoutEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import { dark, fonts, light, type Palette, variableName } from './tokens';

type ThemeName = 'light' | 'dark';
/** Until somebody chooses, the portal looks as the system does. */
export const THEMES = ['system', 'light', 'dark'] as const;
type ThemeChoice = (typeof THEMES)[number];
const STORED = 'longshore.theme';

interface Theme {
  choice: ThemeChoice;
  choose: (choice: ThemeChoice) => void;
}
const ThemeContext = createContext<Theme>({ choice: 'system', choose: () => undefined });

export function useTheme(): Theme {
  return useContext(ThemeContext);
}

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(STORED);
  return THEMES.find((theme) => theme === stored) ?? 'system';
}

const systemIsDark = window.matchMedia('(prefers-color-scheme: dark)');
/** As it is when the portal is opened: antd makes every element anew when it changes, and what was typed is lost. */
const motion = !window.matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Whether the system is dark now; follows it. */
function useSystemIsDark(): boolean {
  return useSyncExternalStore(
    (tell) => {
      systemIsDark.addEventListener('change', tell);
      return () => systemIsDark.removeEventListener('change', tell);
    },
    () => systemIsDark.matches,
  );
}

function antConfig(name: ThemeName, palette: Palette): ThemeConfig {
  return {
    algorithm: name === 'dark' ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
    token: {
      colorPrimary: palette.brand,
      colorLink: palette.brand,
      colorLinkHover: palette.brandHover,
      colorSuccess: palette.running,
      colorWarning: palette.degraded,
      colorError: palette.failed,
      colorInfo: palette.progressing,
      colorText: palette.text,
      colorTextSecondary: palette.textMuted,
      colorTextTertiary: palette.textFaint,
      colorTextDescription: palette.textFaint,
      colorTextPlaceholder: palette.textFaint,
      colorTextDisabled: palette.textFaint,
      colorBgLayout: palette.canvas,
      colorBgContainer: palette.surface,
      colorBgElevated: palette.surface,
      colorBorder: palette.lineStrong,
      colorBorderSecondary: palette.line,
      colorTextLightSolid: palette.onBrand,
      controlItemBgActive: palette.brandSoft,
      controlItemBgActiveHover: palette.brandSoft,
      fontFamily: fonts.text,
      fontFamilyCode: fonts.code,
      fontSize: 13,
      borderRadius: 6,
      controlHeight: 32,
      boxShadowTertiary: 'none',
      // What is placed by an animation's end needs to know that there is none.
      motion,
      // Durations that are given hold without motion too.
      ...(motion && { motionDurationMid: '0.12s', motionDurationSlow: '0.18s' }),
    },
    components: {
      Table: {
        headerBg: palette.sunken,
        headerColor: palette.textMuted,
        headerSplitColor: 'transparent',
        rowHoverBg: palette.hover,
        rowSelectedBg: palette.brandSoft,
        rowSelectedHoverBg: palette.brandSoft,
        cellPaddingBlockSM: 7,
        cellPaddingInlineSM: 12,
      },
      Tooltip: { colorBgSpotlight: palette.rail, colorTextLightSolid: '#ffffff' },
      Segmented: { trackBg: palette.line, itemSelectedBg: palette.surface, itemHoverBg: palette.hover },
      Tabs: { horizontalMargin: '0 0 16px 0', titleFontSize: 13 },
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none' },
      Card: { headerFontSize: 14 },
      Form: { itemMarginBottom: 16, verticalLabelPadding: '0 0 4px' },
    },
  };
}

export function ThemeProvider({ locale, children }: { locale: Locale; children: ReactNode }) {
  const [choice, setChoice] = useState(storedChoice);
  const system = useSystemIsDark() ? 'dark' : 'light';
  const name = choice === 'system' ? system : choice;
  const palette = name === 'dark' ? dark : light;

  useLayoutEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = name;
    root.style.colorScheme = name;
    for (const [token, value] of Object.entries(palette))
      root.style.setProperty(variableName(token), value as string);
    root.style.setProperty('--font-text', fonts.text);
    root.style.setProperty('--font-code', fonts.code);
  }, [name, palette]);

  const config = useMemo(() => antConfig(name, palette), [name, palette]);
  const theme = useMemo(
    () => ({
      choice,
      choose: (next: ThemeChoice) => {
        localStorage.setItem(STORED, next);
        setChoice(next);
      },
    }),
    [choice],
  );

  return (
    <ThemeContext value={theme}>
      <ConfigProvider
        theme={config}
        locale={locale}
        button={{ autoInsertSpace: false }}
        wave={{ disabled: !motion }}
      >
        <AntApp message={{ maxCount: 3 }} className="app-root">
          {children}
        </AntApp>
      </ConfigProvider>
    </ThemeContext>
  );
}
