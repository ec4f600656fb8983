"""The three ways in which the API cuts lists."""

from rest_framework.pagination import CursorPagination, LimitOffsetPagination, PageNumberPagination


class Window(LimitOffsetPagination):
    """`limit` and `offset`."""

    default_limit = 10
    max_limit = 100


class NumberedPages(PageNumberPagination):
    """`page` and `page_size`."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 50


class NewestFirstCursor(CursorPagination):
    """`cursor`, for a log that grows while it is read."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = ("-occurred_at", "-id")
