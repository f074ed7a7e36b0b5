from rovervision.settings import *  # noqa: F403
