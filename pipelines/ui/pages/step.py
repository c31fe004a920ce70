"""The page of a step."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
