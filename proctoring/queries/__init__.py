from proctoring.queries.boards import BoardPage, board_page, boards_by_code, rank_of

__all__ = ["BoardPage", "board_page", "boards_by_code", "rank_of"]
