"""Settings that Kedro reads: how configuration is merged, and which hooks take part in a run."""

from omegaconf.resolvers import oc

from rovervision.context import ProjectContext, project_path
from rovervision.hooks import InputHooks, RankHooks, ReportHooks, TrackingHooks
from rovervision.hooks.gallery import GalleryHooks
from rovervision.runners import rank

CONTEXT_CLASS = ProjectContext

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment states only what differs; without this one changed number would drop its whole section.
    "merge_strategy": {"parameters": "soft", "globals": "soft", "mlflow": "soft"},
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**", "**/mlflow*"]},
    "custom_resolvers": {"oc.env": oc.env, "project_path": project_path},
}

_tracking = TrackingHooks()

# Processes beyond the first compute and stay silent: one MLflow run, one report.
_first_alone = (_tracking, ReportHooks(_tracking), GalleryHooks(_tracking))
HOOKS = (*(_first_alone if rank() == 0 else ()), InputHooks(), RankHooks())

# `TrackingHooks` is kedro-mlflow's own hook with its gaps filled, hence not both. Kedro compares names as their
# packages spell them, and kedro-mlflow has spelled its own both ways.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow", "kedro-mlflow", "kedro-telemetry") + (("kedro-viz",) if rank() else ())
